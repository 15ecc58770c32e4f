"""`tinyberth doctor`: what must hold, looked at, with a remedy for each thing that does not.

One module for each topic. Each collects facts, changes nothing, and leaves what the facts mean to
pure functions. What mends a finding is a command that is shown before it is run.
"""
