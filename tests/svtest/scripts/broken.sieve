foo; bar;
