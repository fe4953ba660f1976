"""Rules about people that need neither rows nor requests: devices, keys."""
