"""The figures that genbridge promises, each measured beside a reference in the same run."""
