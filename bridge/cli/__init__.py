"""Commands: arguments in, exit code out; one file per command, loaded when it is called."""
