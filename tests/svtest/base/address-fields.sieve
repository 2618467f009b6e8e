if address ["From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc",
    "Resent-Bcc", "Resent-Reply-To", "For-Approval", "For-Handling", "For-Comment", "Apparently-To", "Errors-To",
    "Delivered-To", "Return-Receipt-To", "X-Admin", "Read-Receipt-To", "X-Confirm-Reading-To",
    "Return-Receipt-Requested", "Registered-Mail-Reply-Requested-By", "Mail-Followup-To", "Mail-Reply-To",
    "Abuse-Reports-To", "X-Complaints-To", "X-Report-Abuse-To", "X-Beenthere", "X-Original-From", "X-Original-To"]
    "nobody@nowhere.example" { discard; }
