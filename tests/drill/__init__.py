"""The drill: broker, lines, disk, clock and crashes of one seed around the real mailbox, core and journal."""
