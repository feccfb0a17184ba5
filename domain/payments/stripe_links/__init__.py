"""Links as Stripe tells of them: switched off and on, or not known at all."""
