require "copy"; redirect :copy "a@b.example"; redirect :copy "b@b.example"; redirect :copy "c@b.example";
