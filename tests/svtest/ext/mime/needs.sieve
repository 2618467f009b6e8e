require ["extracttext", "foreverypart"];
keep "not looked at";
