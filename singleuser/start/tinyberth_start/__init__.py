"""What a user's container does before Jupyter: files delivered, an identity for git.

Standard library only: it runs in the server's own process, before anything heavy is loaded.
"""
