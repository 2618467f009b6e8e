;;; sieve_manage.el --- sieve-manage behind lines of JSON  -*- lexical-binding: t -*-
;; A request on standard input, its answer on standard output.
(require 'auth-source)
(require 'cl-lib)
(require 'json)
(require 'nsm)
(require 'sieve-manage)

(defvar client nil "The buffer of the session.")
(defvar secret nil "User and password.")
(defalias 'auth-source-search (lambda (&rest _) (list secret)))

(defun told (answer)
  "ANSWER when it is an OK, else an error that says why."
  (if (sieve-manage-ok-p answer) answer (error "%s" (nth 2 answer))))

(defun octets (text)
  "What this library, which counts characters, sends as the octets of TEXT."
  (encode-coding-string text 'utf-8))

(defun call-open (r)
  (let ((mechanism (gethash "mechanism" r)))
    (setq gnutls-trustfiles (list (gethash "authority" r))
          gnutls-verify-error t
          network-security-level 'low
          nsm-settings-file (concat (gethash "authority" r) ".nsm")
          secret (list :user (gethash "user" r) :secret (gethash "password" r)))
    (unless (string-empty-p mechanism)
      (setq sieve-manage-authenticators (list (intern (downcase mechanism)))))
    (let ((stream (if (string= (gethash "tls" r) "connect") 'tls 'network)))
      (setq client (sieve-manage-open "localhost" (gethash "port" r) stream)))
    (sieve-manage-authenticate client)
    :null))

(defun call-list (_)
  (let ((found (make-hash-table :test 'equal)))
    (dolist (each (sieve-manage-listscripts client) found)
      (if (consp each) (puthash (cdr each) t found) (puthash each :false found)))))

(defun call-put (r)
  (told (sieve-manage-putscript (octets (gethash "name" r)) (base64-decode-string (gethash "script" r)) client)))

(defun call-get (r)
  (with-temp-buffer
    (told (sieve-manage-getscript (octets (gethash "name" r)) (current-buffer) client))
    (base64-encode-string (octets (buffer-string)) t)))

(defun call-activate (r) (told (sieve-manage-setactive (octets (gethash "name" r)) client)))
(defun call-delete (r) (told (sieve-manage-deletescript (octets (gethash "name" r)) client)))
(defun call-close (_)
  "Say LOGOUT, and wait until it has been answered, not for a whole second."
  (cl-letf (((symbol-function 'sit-for)
             (lambda (&rest _) (accept-process-output (buffer-local-value 'sieve-manage-process client) 60))))
    (sieve-manage-close client)))

(let (line)
  (while (setq line (ignore-errors (read-from-minibuffer "")))
    (let* ((r (json-parse-string line))
           (answer (condition-case e
                       (let ((value (funcall (intern (concat "call-" (gethash "do" r))) r)))
                         (list :value (if (or (hash-table-p value) (stringp value)) value :null)))
                     (error (list :refused (error-message-string e))))))
      (princ (concat (json-serialize answer) "\n")))))
