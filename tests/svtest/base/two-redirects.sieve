redirect "kim@office.example"; redirect "kim@OFFICE.example"; redirect "lee@office.example";
