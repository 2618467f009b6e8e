"""The Sieve language, pure: parse, bind, run. Knows neither store nor state nor clock."""
