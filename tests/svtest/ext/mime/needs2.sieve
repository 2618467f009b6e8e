require ["extracttext", "variables"];
