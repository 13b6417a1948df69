"""What `bench pace` is made of: laws of durations, rivals, a key on virtual time."""
