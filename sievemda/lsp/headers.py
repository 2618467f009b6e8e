"""Names of header fields that are offered, as they are written. RFC 5322, RFC 2919, RFC 2369, RFC 3834, RFC 2045."""

HEADERS = (
    "From", "To", "Cc", "Bcc", "Subject", "Date", "Sender", "Reply-To", "Message-ID", "In-Reply-To", "References",
    "Received", "Return-Path", "Delivered-To", "Envelope-To", "X-Original-To",
    "Resent-From", "Resent-To", "Resent-Cc", "Resent-Bcc", "Resent-Sender", "Resent-Date", "Resent-Message-ID",
    "List-Id", "List-Post", "List-Help", "List-Owner", "List-Archive", "List-Subscribe", "List-Unsubscribe",
    "Mailing-List", "X-Mailing-List", "X-BeenThere", "X-Loop", "Precedence", "Auto-Submitted",
    "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-Language",
    "Content-ID", "Importance", "Priority", "X-Priority", "Sensitivity", "Keywords", "Comments", "Organization",
    "X-Spam-Flag", "X-Spam-Status", "X-Spam-Score", "X-Spam-Level", "X-Virus-Scanned",
    "Authentication-Results", "DKIM-Signature", "Received-SPF", "ARC-Authentication-Results",
    "User-Agent", "X-Mailer", "Disposition-Notification-To", "Errors-To", "Mail-Followup-To",
    "Thread-Topic", "Feedback-ID", "X-GitHub-Reason",
)  # fmt: skip
