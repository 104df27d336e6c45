chmod 755 lib/tool
chmod 2750 lib/sub
ln -s sub/a.txt lib/link
ln lib/sub/a.txt lib/sub/twin.txt
