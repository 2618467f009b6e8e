keep
frop;
