"""The firewall: one nftables table that keeps users' containers apart from all but the internet.

It applies the table when it starts, looks every few seconds whether it is still as it should be,
and answers on a unix socket, so that no server is started where it is not in force.
"""
