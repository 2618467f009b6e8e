require ["imapflags"];
mark; unmark;
