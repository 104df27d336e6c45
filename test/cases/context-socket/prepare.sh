mkdir dir
echo x > file
echo y > dir/file
for path in socket dir/socket; do
  perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) && bind(S, sockaddr_un($ARGV[0])) || die "$!"' "$path"
done
