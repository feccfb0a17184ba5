"""What people can do, a module for each; what they see of it stands in the view of the same or a like name."""
