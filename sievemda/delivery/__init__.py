"""The life of one message, in plain synchronous code that any thread may call.

header, trace, content    what DATA brings becomes the stored form; refused, cleaned, our fields in front
resolve, identity         whom an address means, and who is posting
autocreate                accounts that make themselves
places                    where a message may be put: the one place that decides every store
facts, plan               a script asks, decides; the decision becomes steps that can be printed
commit, staging, recall   the steps are done in the order that loses nothing, and remembered
sending, outgoing,        what leaves the house: redirects, replies, notices;
notices                   their form
outbox, submission        a durable spool, and who takes the mail from it
record, tried             the account of each delivery, for the journal
deliver                   the whole flow in one screenful
"""
