"""What the two services on unix sockets share: a server that believes nobody, and its client.

The warden and the ledger serve with it; the hub and the launcher do not have it.
"""
