mkdir odd; cd odd; touch 'a b' "it's" '"q"' -- -dash 'Grüße-日本語-🎉' "$(printf 'new\nline')" 'back\slash' '*star' '$dollar' '~'
