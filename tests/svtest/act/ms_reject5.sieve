redirect "d@b.example"; redirect "e@b.example"; redirect "f@b.example";
