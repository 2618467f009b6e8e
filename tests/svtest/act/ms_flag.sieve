require "imap4flags"; addflag "myflag"; addflag "\\Seen";
