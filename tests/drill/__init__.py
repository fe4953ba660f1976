"""The drill: broker, network, disk, clock and crashes of one seed around the real core, mailbox and journal."""
