require "vacation-seconds"; if true { vacation :days 0 "x"; } elsif true { vacation :days 1000000 "x"; } elsif true { vacation :seconds 0 "x"; } elsif true { vacation :seconds 100000000000 "x"; }
