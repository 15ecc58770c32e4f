"""`new-kernel`: environments and kernels of one's own, in the home, without an admin."""
