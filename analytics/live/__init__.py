"""The live page as it changes: its parts as text, and the hub that hands them to sockets."""
