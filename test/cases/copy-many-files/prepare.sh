mkdir many; cd many; for d in 0 1 2 3 4 5 6 7 8 9; do mkdir $d; (cd $d; seq 1 1000 | xargs touch; seq 1 1000 | while read n; do echo $d/$n > $n; done); done
