"""The process that copies: one mailbox for each owner between the brokers' sockets and the pure core."""
