"""What the hub, the warden and the launcher must agree on: names and settings.

Standard library only and Python 3.9+, because the launcher imports it on the host.
"""

VERSION = "0.1.0"
