n=$(printf "%0120d" 7); mkdir -p "long/$n/$n/$n"; echo x > "long/$n/$n/$n/file"; ln -s "$n/$n/$n/file" long/link; touch "long/$(printf "%0255d" 3)"
