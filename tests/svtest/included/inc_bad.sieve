keep "one";
discard "two";
