"""The warden: the one service that holds the engine's socket.

It serves the hub's uid, over a unix socket: the few calls of the Docker API that start a container
as a person. Who that is, and which folders are theirs, it asks the ledger; it changes no file.
"""
