mkdir arch x; touch x/y; tar -cf t.tar x; cp t.tar arch/; rm -r x
