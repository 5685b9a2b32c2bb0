record_pair() { :; }
