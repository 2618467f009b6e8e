"""What has no place in a Maildir: delivery memory, journal, credentials. All SQL of the program is here.

`statements` has every statement of memory and journal, `sqlite` the one way to a file, `holds` the locks that keep two
deliverers of one message apart.
"""
