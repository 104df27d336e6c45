/* Becomes `main.cjs` of a bundle, which every launcher starts. */
import { loadProgram } from './program.ts';

/** The name of the script beside this one. */
declare const PROGRAM: string;

loadProgram(__dirname, PROGRAM).run();
