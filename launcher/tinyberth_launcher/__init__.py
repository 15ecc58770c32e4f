"""The `tinyberth` command. Standard library only, Python 3.9+; one module per topic.

Modules named after a command (`up`, `down`, `status`, `testing`) say what happens in which
order; the others (`engine`, `base`, `compose`, `preflight`) know one thing each.
"""
