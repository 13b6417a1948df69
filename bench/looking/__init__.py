"""The real poller before an API that is made up: what `./run bench looks` measures."""
