;;; Emacs 29 or newer, with the Eglot that comes with it: put this into init.el.

;; `sieve-mode' comes with Emacs. Problems are shown by Flymake, M-x eglot-format lays the script out as
;; `sievemda sieve format' does, M-. opens an included script, M-x eglot-code-actions mends.

(require 'sieve-mode)

(define-derived-mode svtest-mode sieve-mode "Svtest"
  "Tests of Sieve scripts, written in Sieve.")

(add-to-list 'auto-mode-alist '("\\.\\(?:sieve\\|siv\\)\\'" . sieve-mode))
(add-to-list 'auto-mode-alist '("\\.svtest\\'" . svtest-mode))

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               '(((sieve-mode :language-id "sieve") (svtest-mode :language-id "svtest"))
                 . ("sievemda" "sieve" "lsp"))))

(add-hook 'sieve-mode-hook #'eglot-ensure)
