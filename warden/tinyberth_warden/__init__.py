"""The warden: the one service that holds the engine's socket and the users' files.

It serves the hub's uid, over a unix socket: who a person is (the ledger), where their files
lie (homes), and the few calls of the Docker API that start a container as that person.
"""
