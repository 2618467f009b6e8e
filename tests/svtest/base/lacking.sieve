require ["extracttext", "variables"];
keep 5;
frobnicate;
