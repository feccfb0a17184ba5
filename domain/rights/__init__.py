"""Who may do what: the rule, who somebody is, and the door at which it is asked."""
