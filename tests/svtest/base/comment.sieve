keep;
/* a comment
keep $$$;
