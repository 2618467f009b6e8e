"""The ManageSieve edge (asyncio): wire, session, server. RFC 5804."""
