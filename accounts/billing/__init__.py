"""Plans behind a provider: who may hold how much, who takes the money, and what happens at the end."""
