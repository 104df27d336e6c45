mkdir t && cd t
mkdir -p real/bin deep/er base/full etc sg/imp/l d
echo tool > real/bin/tool; echo f > deep/er/f; echo new > base/full/new; echo pw > etc/passwd; ln etc/passwd h
echo s > sg/imp/l/s; echo b > b; ln -s /nowhere/x l; ln -s base/gone near
chown 7:8 real/bin/tool deep/er/f b; chmod 2750 sg; chmod 711 base/full; chmod 600 etc/passwd
common='--format=pax --numeric-owner -P'
tar $common --transform='s,^real/bin,sbin2,' -cf ../files.tar real/bin/tool deep/er/f
tar $common --transform='s,^b$,lnk/inside,' -rf ../files.tar b
tar $common --no-recursion -cf ../merged.tar base/full base/full/new
tar $common --no-recursion --transform='s,^b$,base/dir/new,' -rf ../merged.tar b
tar $common -cf ../hard.tar etc/passwd h; tar --delete -f ../hard.tar etc/passwd
tar $common -cf ../links.tar l near
tar $common --transform='s,^b$,l/one,' -rf ../links.tar b
tar $common --transform='s,^b$,l/sub/two,' -rf ../links.tar b
tar $common --transform='s,^b$,near/three,' -rf ../links.tar b
tar $common --no-recursion -cf ../implied.tar sg sg/imp/l/s
tar $common --no-recursion --transform='s,^b$,d/../b,' -cf ../dots.tar d b
tar $common --no-recursion --transform='s,^d$,/,' -cf ../root.tar d b
cd .. && rm -r t
