"""`make bench`: what deliveries and scripts cost, measured. Nothing here passes or fails."""
