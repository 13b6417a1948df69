"""The simulated vendors, one file each; `apis.py` tells how one is added."""
