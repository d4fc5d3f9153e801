"""Messages of Kafka's protocol that the client does not know: groups of the new protocol (KIP-848), described.

The files are the wire format in the client's own notation.
"""
