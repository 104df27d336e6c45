import { parentPort } from 'node:worker_threads';
import { type PasswordQuestion, passwordFits } from './password-work.ts';

/*
 * A thread that compares passwords with bcrypt hashes, one after the other, so that the thread that answers requests never
 * does: a question comes in, and whether the password fits goes out.
 */
parentPort?.on('message', (question: PasswordQuestion) => {
  parentPort?.postMessage(passwordFits(question));
});
