"""SASL mechanisms and credential back ends."""
